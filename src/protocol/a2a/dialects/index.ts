import type { Dialect, DialectName } from './dialect.ts';
import { early } from './early.ts';
import { v1 } from './v1.ts';
import { v03 } from './v03.ts';
import { v03Rest } from './v03-rest.ts';

export type { Dialect, DialectName, ReadEvent, ReadOptions, WriteOptions } from './dialect.ts';

/** Every dialect by its name: the name is what a task or a webhook stores. */
export const DIALECTS: { readonly [N in DialectName]: Dialect } = { '1.0': v1, '0.3': v03, '0.3-rest': v03Rest, early };
