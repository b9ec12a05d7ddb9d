// The two calls that forge makes of a compiler, answered by npm's solc.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const home = path.join(__dirname, "..", "..", "node_modules", "solc");
const args = process.argv.slice(2);

if (args.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${require(home).version()}\n`);
} else if (args.includes("--standard-json")) {
  const named = args[args.indexOf("--standard-json") + 1];
  const source = named && !named.startsWith("-") ? named : 0;
  process.stdout.write(require(home).compile(fs.readFileSync(source, "utf8")));
} else {
  process.stderr.write(`solc: only --version and --standard-json are answered, not: ${args.join(" ")}\n`);
  process.exitCode = 1;
}
