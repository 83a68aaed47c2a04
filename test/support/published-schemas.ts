import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';

/** The published JSON Schemas of the older versions of A2A, where they are at hand. */
const folder = new URL('../../../shared/reference/schemas/', import.meta.url);

export type PublishedSchema = 'a2a-0.1.0.json' | 'a2a-0.2.5.json' | 'a2a-0.3.0.json';

/** False on a machine without the schemas, and then it is said. Tests that need them are skipped by it. */
export function schemasPresent(): boolean {
  const present = existsSync(fileURLToPath(new URL('a2a-0.3.0.json', folder)));
  if (!present) process.stderr.write('skipped: the published A2A schemas are not at ../shared/reference/schemas\n');
  return present;
}

/** A check that a value, as JSON has it, is what a definition of a published schema says; it fails the test that calls it. */
export function oracle(file: PublishedSchema): (definition: string, value: unknown) => void {
  const ajv = new Ajv({ strict: false, allErrors: true });
  // Both packages are CommonJS: the default export is the function, or holds it.
  const add = addFormats as unknown as ((a: Ajv) => void) & { default?: (a: Ajv) => void };
  (add.default ?? add)(ajv);
  const schema = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, unknown>;
  ajv.addSchema(schema, file);
  const root = 'definitions' in schema ? 'definitions' : '$defs';
  return (definition, value) => {
    const validate = ajv.getSchema(`${file}#/${root}/${definition}`);
    if (!validate) throw new Error(`${file} defines no ${definition}`);
    const text = JSON.stringify(value);
    if (!validate(JSON.parse(text))) expect.fail(`${file} ${definition}: ${ajv.errorsText(validate.errors)}\n${text}`);
  };
}
