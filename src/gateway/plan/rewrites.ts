import type { FetchNodePathSegment, FetchRewrite } from '@graphql-hive/router-query-planner';
import { isObject } from './merge.ts';
import type { TypeIndex } from './type-index.ts';

export interface Rewrites {
  /** Changes the value in place. */
  apply(value: unknown): void;
  /** Response keys that the planner renamed, back to the client's: for error paths. */
  readonly renamed: ReadonlyMap<string, string>;
}

interface Rule {
  readonly path: readonly FetchNodePathSegment[];
  readonly set?: string;
  readonly rename?: string;
}

const ruleOf = (rewrite: FetchRewrite): Rule => {
  if ('KeyRenamer' in rewrite) return { path: rewrite.KeyRenamer.path, rename: rewrite.KeyRenamer.renameKeyTo };
  const setter = 'ValueSetter' in rewrite ? rewrite.ValueSetter : rewrite;
  return { path: setter.path, set: setter.setValueTo };
};

/** Compiles what the planner wants changed in representations (input) or answers (output): values set, keys renamed. */
export function compileRewrites(rewrites: readonly FetchRewrite[] | undefined, types: TypeIndex): Rewrites | null {
  if (!rewrites?.length) return null;
  const rules = rewrites.map(ruleOf);
  const renamed = new Map<string, string>();
  for (const rule of rules) {
    const last = rule.path.at(-1);
    if (rule.rename !== undefined && last !== undefined && 'Key' in last) renamed.set(last.Key, rule.rename);
  }
  return {
    apply(value) {
      for (const rule of rules) applyRule(value, rule, 0, types);
    },
    renamed,
  };
}

function applyRule(value: unknown, rule: Rule, at: number, types: TypeIndex): void {
  if (Array.isArray(value)) {
    for (const item of value) applyRule(item, rule, at, types);
    return;
  }
  const segment = rule.path[at];
  if (!isObject(value) || segment === undefined) return;
  if ('TypenameEquals' in segment) {
    const typeName = value.__typename;
    const names = ([] as string[]).concat(segment.TypenameEquals);
    if (typeof typeName !== 'string' || names.some((name) => types.satisfies(typeName, name))) {
      applyRule(value, rule, at + 1, types);
    }
    return;
  }
  if (at < rule.path.length - 1) {
    applyRule(value[segment.Key], rule, at + 1, types);
  } else if (rule.rename !== undefined) {
    if (segment.Key in value) {
      value[rule.rename] = value[segment.Key];
      delete value[segment.Key];
    }
  } else value[segment.Key] = rule.set;
}
