// Writes src/contract.ts, and the client actions of the shop's agent, from the Python models
// (`python -m voice_contract [MODULE]`).
// `--check` writes nothing and fails when a file is not what the models say.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TARGETS = [
  { file: "src/contract.ts", source: [] },
  { file: "src/storefront/contract.ts", source: ["examples.storefront.agent.actions"] },
];

function python() {
  if (process.env.PYTHON) return process.env.PYTHON;
  const local = `${root}.venv/bin/python`;
  return existsSync(local) ? local : "python3";
}

async function contract(source) {
  const command = ["-m", "voice_contract", ...source];
  const printed = execFileSync(python(), command, { cwd: root, encoding: "utf8" });
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
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
    .join("");

  return `// Generated from ${source[0] ?? "voice_contract"} by "npm run contract". Do not edit.

${constants && `${constants}\n`}${types}
/** The models' JSON Schema, for checking at run time. */
export const DEFINITIONS = ${JSON.stringify($defs, null, 2)};
`;
}

for (const { file, source } of TARGETS) {
  const target = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const text = await contract(source);
  if (!process.argv.includes("--check")) {
    writeFileSync(target, text);
  } else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`${file} is not what the models say. Run: npm run contract`);
    process.exit(1);
  }
}
