// Keeps addresses out of package-lock.json: npm writes each package's `funding` pages and,
// without .npmrc, the registry it came from. `--check` only reports them.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const found = Object.entries(lock.packages).filter(
  ([, entry]) => "funding" in entry || "resolved" in entry,
);

if (process.argv.includes("--check")) {
  if (found.length > 0 || JSON.stringify(lock).includes("://")) {
    console.error("package-lock.json holds addresses. Run: npm run lock:strip");
    process.exit(1);
  }
} else {
  for (const [, entry] of found) {
    delete entry.funding;
    delete entry.resolved;
  }
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
