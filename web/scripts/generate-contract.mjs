// Writes src/contract.ts from the Python models (`python -m voice_contract`).
// `--check` writes nothing and fails when the file is not what the models say.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = fileURLToPath(new URL("../src/contract.ts", import.meta.url));

function python() {
  if (process.env.PYTHON) return process.env.PYTHON;
  const local = `${root}.venv/bin/python`;
  return existsSync(local) ? local : "python3";
}

const printed = execFileSync(python(), ["-m", "voice_contract"], { cwd: root, encoding: "utf8" });
const { $defs, "x-names": names } = JSON.parse(printed);

const types = await compile(
  {
    title: "Contract",
    description: "Every model that reaches the browser, by name.",
    type: "object",
    additionalProperties: false,
    required: Object.keys($defs),
    properties: Object.fromEntries(
      Object.keys($defs).map((name) => [name, { $ref: `#/$defs/${name}` }]),
    ),
    $defs,
  },
  "Contract",
  { bannerComment: "", additionalProperties: true },
);

const constants = Object.entries(names)
  .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
  .join("\n");

const text = `// Generated from voice_contract by "npm run contract". Do not edit.

${constants}

${types}
/** The models' JSON Schema, for checking at run time. */
export const DEFINITIONS = ${JSON.stringify($defs, null, 2)};
`;

if (process.argv.includes("--check")) {
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error("src/contract.ts is not what voice_contract says. Run: npm run contract");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
