import { RollcallError } from '../../../errors.ts';
import type { Artifact, Part, Task } from '../../../protocol/a2a/model.ts';
import type { LiteralMap } from '../../../protocol/flyte/generated/flyteidl/core/literals.ts';
import { literalOf, type Shape } from '../../../protocol/flyte/typed-literals.ts';

/** The outputs that a task declares, by name. */
export type DeclaredOutputs = Readonly<Record<string, Shape>>;

/** Several texts are one: agents stream them in pieces. A single part is what it holds. */
function valueOfParts(parts: readonly Part[]): unknown {
  if (parts.every(({ text }) => text !== undefined)) return parts.map(({ text }) => text).join('');
  const values = parts.map(({ text, url, raw, data }) => text ?? url ?? raw ?? data);
  return values.length === 1 ? values[0] : values;
}

/** What people and programs call it. */
const nameOf = ({ name, artifactId }: Artifact): string => (name === undefined || name === '' ? artifactId : name);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything that the agent gave, in order: its artifacts, else what it said last. */
function resultsOf({ artifacts = [], status }: Task): readonly { readonly name: string; readonly value: unknown }[] {
  if (artifacts.length > 0) {
    return artifacts.map((artifact) => ({ name: nameOf(artifact), value: valueOfParts(artifact.parts) }));
  }
  return status.message === undefined ? [] : [{ name: 'message', value: valueOfParts(status.message.parts) }];
}

/**
 * The outputs of a completed task. A declared output is the artifact of its name; else the member of its name of the
 * only artifact, if that is data; else, when it is the only output, the last artifact. Without artifacts the agent's
 * message counts as one. Undeclared results are left out; a task that declares nothing has no outputs.
 *
 * @throws RollcallError UPSTREAM_INVALID when an output is missing, or is not of its type
 */
export function outputsOf(task: Task, declared: DeclaredOutputs): LiteralMap {
  const results = resultsOf(task);
  const names = Object.keys(declared);
  const only = results.length === 1 && isObject(results[0]!.value) ? results[0]!.value : undefined;
  const resultFor = (name: string): unknown => {
    const named = results.findLast((result) => result.name === name);
    if (named !== undefined) return named.value;
    if (only !== undefined && Object.hasOwn(only, name)) return only[name];
    const last = names.length === 1 ? results.at(-1) : undefined;
    if (last !== undefined) return last.value;
    throw new RollcallError('UPSTREAM_INVALID', `outputs.${name}: the agent gave no artifact of that name.`, {
      field: `outputs.${name}`,
    });
  };
  const literals = names.map((name) => [name, literalOf(resultFor(name), declared[name]!, `outputs.${name}`)]);
  return { literals: Object.fromEntries(literals) };
}
