/* Types of the API and of the live protocol, from their descriptions: `make js-types`.
   A field that is renamed on the server breaks the type check of the pages that use it. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";
import openapiTS, { astToString } from "openapi-typescript";

const [description] = process.argv.slice(2); // written by `manage.py spectacular --format openapi-json`
const folder = new URL("../../types/generated/", import.meta.url);
const schemas = new URL("../../docs/live-protocol/", import.meta.url);

mkdirSync(folder, { recursive: true });
writeFileSync(new URL("api.d.ts", folder), astToString(await openapiTS(JSON.parse(readFileSync(description, "utf8")))));

const messages = await Promise.all(readdirSync(schemas).sort().map((name) => {
  const schema = JSON.parse(readFileSync(new URL(name, schemas), "utf8"));
  return compile(schema, schema.title, { bannerComment: "", additionalProperties: false, cwd: schemas.pathname });
}));
writeFileSync(new URL("live.d.ts", folder), messages.join("\n"));
