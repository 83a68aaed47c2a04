import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv';

const require = createRequire(import.meta.url);
const directory = fileURLToPath(new URL('../../../../../shared/reference/schemas/', import.meta.url));

/** Why the published schemas cannot be used here, or undefined when they are there. */
export const oraclesMissing = existsSync(directory)
  ? undefined
  : 'the A2A schemas (../shared/reference/schemas) are not on this machine, so cards are not validated against them';
if (oraclesMissing) process.stderr.write(`skipped: ${oraclesMissing}\n`);

/** The A2A project's own schema of an AgentCard in one version. */
export function agentCardOracle(version: '0.1.0' | '0.2.5' | '0.3.0'): ValidateFunction {
  const { Ajv } = require('ajv') as typeof import('ajv');
  const addFormats = (require('ajv-formats') as typeof import('ajv-formats')).default;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  const { $schema: _dialect, ...schema } = JSON.parse(
    readFileSync(`${directory}a2a-${version}.json`, 'utf8'),
  ) as Record<string, unknown>;
  ajv.addSchema(schema, 'a2a');
  const validate = ajv.getSchema(`a2a#/${'$defs' in schema ? '$defs' : 'definitions'}/AgentCard`);
  if (!validate) throw new Error(`no AgentCard in the schema of ${version}`);
  return validate;
}
