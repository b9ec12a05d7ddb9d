// Runs the compiler's model checker over one file: node model_checker.cjs FILE ROOT. Its CHC engine, or BMC where the file says
// `@custom:engine bmc`: as good for functions without loops and state, and better at products of two unknowns.
// Prints {"safe": number, "unknown": [text], "violated": [text]}.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [file, root] = process.argv.slice(2);
const modules = path.join(__dirname, "..", "..", "..", "node_modules");
const solc = require(path.join(modules, "solc"));
const name = path.relative(root, file);
const text = fs.readFileSync(file, "utf8");

const read = (wanted) => {
  for (const base of [root, modules]) {
    const found = path.join(base, wanted);
    if (fs.existsSync(found)) return { contents: fs.readFileSync(found, "utf8") };
  }
  return { error: `not found: ${wanted}` };
};

const input = {
  language: "Solidity",
  sources: { [name]: { content: text } },
  settings: {
    evmVersion: "prague",
    outputSelection: { "*": { "*": [] } },
    modelChecker: {
      engine: /@custom:engine bmc/.test(text) ? "bmc" : "chc",
      targets: ["assert", "underflow", "overflow", "divByZero"],
      contracts: { [name]: [path.basename(file, ".sol")] },
      showProvedSafe: true,
      showUnproved: true,
      showUnsupported: true,
      timeout: 0,
    },
  },
};

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read, smtSolver: undefined }));
const result = { safe: 0, unknown: [], violated: [] };
for (const { severity, message, formattedMessage } of output.errors ?? []) {
  if (severity === "error") {
    process.stderr.write(formattedMessage);
    process.exitCode = 1;
  } else if (/check is safe/.test(message)) result.safe += 1;
  else if (/happens here/.test(message)) result.violated.push(formattedMessage);
  else if (/BMC engine of the SMTChecker is deprecated/.test(message)) continue;
  else if (/might happen|could not be proved|unsupported|not supported|CHC/i.test(message)) result.unknown.push(formattedMessage);
}
process.stdout.write(JSON.stringify(result));
