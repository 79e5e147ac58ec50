"""Prefect worker type `fork`: a process worker whose runs begin at once, because nothing has to be imported."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.runner._control_channel import ControlChannel
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle, create_isolated_termination_scope
from prefect.runner._workspace_runtime import WorkspaceSupervisorConfig, write_private_model
from prefect.runner._workspace_starter import WorkspaceResolvingEngineCommandStarter
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, get_current_settings, temporary_settings
from prefect.utilities.processutils import sanitize_subprocess_env
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows.worker.meeting_place import meeting_place
from flows.worker.protocol import StartRequest
from flows.worker.template_process import TemplateProcess

WORKER_TYPE = "fork"
_SUPERVISOR = "prefect.runner._workspace_supervisor"
# Prefect's own default is 15 s.
QUERY_SECONDS = 2


class ForkingStarter(WorkspaceResolvingEngineCommandStarter):
    """Starts a run as Prefect's starter of the same kind does, in a fork instead of a new interpreter."""

    def __init__(
        self, template: TemplateProcess, configuration: ProcessJobConfiguration, root: Path, control: ControlChannel
    ) -> None:
        super().__init__(
            workspace_root=root, stream_output=configuration.stream_output, control_channel=control, source_cwd=root,
            environment=configuration.env,
        )  # fmt: skip
        self._template = template

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Have the run begun, say so, and wait for its end."""
        run = WorkspaceSupervisorConfig(
            flow_run_id=flow_run.id, workspace_root=self._workspace_root, manifest_path=self._manifest_path
        )
        write_private_model(self._config_path, run)
        request = StartRequest(
            module=_SUPERVISOR,
            arguments=[str(self._config_path)],
            env=self._whole_environment(flow_run),
            cwd=str(self._workspace_root),
            quiet=not self._stream_output,
        )
        process = await self._template.fork(request)
        handle = ProcessHandle(process, create_isolated_termination_scope(process.pid))  # type: ignore[arg-type]
        task_status.started(handle)
        await process.wait()

    def _whole_environment(self, flow_run: FlowRun) -> dict[str, str]:
        """As Prefect makes it for the process of a run: the worker's, its settings, the pool's and the run's."""
        control = {}
        if self._control_channel is not None:
            with contextlib.suppress(RuntimeError):  # no port of this host could be had; Prefect goes without, too
                port, token = self._control_channel.register(flow_run.id)
                control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        return sanitize_subprocess_env({
            **os.environ,
            **get_current_settings().to_environment_variables(exclude_unset=True),
            **self._environment,
            "PREFECT__FLOW_RUN_ID": str(flow_run.id),
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
            **control,
        })  # fmt: skip


class ForkWorker(ProcessWorker):
    """Prefect's process worker in everything but how a run's process comes to be."""

    type = WORKER_TYPE
    _description = (
        "Run flows as forks of a process that has Prefect and Slipway imported: a run begins within 3 seconds."
    )
    _display_name = "Fork"
    _documentation_url = ""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._template = TemplateProcess(place=meeting_place())

    async def start(
        self, run_once: bool = False, with_healthcheck: bool = False, printer: Callable[..., None] = print
    ) -> None:
        """Look for runs every other second, unless another time is set."""
        named = PREFECT_WORKER_QUERY_SECONDS.name
        unset = named not in get_current_settings().to_environment_variables(exclude_unset=True)
        with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: QUERY_SECONDS} if unset else {}):
            await super().start(run_once=run_once, with_healthcheck=with_healthcheck, printer=printer)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run it in a fork. A command of the pool's own is run as a process worker runs it."""
        if configuration._command_configured:
            return await super().run(flow_run, configuration, task_status)
        async with contextlib.AsyncExitStack() as closing:
            place = configuration.working_dir or closing.enter_context(tempfile.TemporaryDirectory(suffix="prefect"))
            context = await closing.enter_async_context(FlowRunExecutorContext())
            root = Path(place).resolve()
            starter = ForkingStarter(self._template, configuration, root, context.control_channel)
            context.call_after_exit(starter.close)
            executor = context.create_executor(
                flow_run, starter, propose_submitting=False, hook_runner=starter.hook_runner
            )
            results: list[FlowRunExecutionResult | None] = []

            async def submit(*, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
                results.append(await executor.submit(task_status=task_status))

            async with anyio.create_task_group() as group:
                handle = await group.start(submit)
                (task_status or anyio.TASK_STATUS_IGNORED).started(handle.pid)
        if not results or results[0] is None or results[0].status_code is None:
            raise RuntimeError("the run's process could not be started; the worker's log says why")
        return ProcessWorkerResult(status_code=results[0].status_code, identifier=str(results[0].handle.pid))

    async def __aenter__(self) -> "ForkWorker":
        self._template.start()
        await super().__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        try:
            await super().__aexit__(*exc_info)
        finally:
            self._template.close()
