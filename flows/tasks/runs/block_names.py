"""The names of saved blocks that follow from a stack's name."""

import hashlib

from flows.core.registry.references import slug


def block_name(stack: str) -> str:
    """A stack's name as a block's: Prefect allows lower-case letters, digits and dashes.

    A name that has others is told apart from one that has not by a hash: `a_b` and `a-b` are two stacks.
    """
    allowed = slug(stack).replace(".", "-").replace("_", "-")
    return allowed if allowed == stack else f"{allowed}-{hashlib.sha256(stack.encode()).hexdigest()[:8]}"
