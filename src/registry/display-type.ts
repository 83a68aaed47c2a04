/** The whole table: what an agent is → what a frontend shows. What has no entry shows as itself. */
const SHOWN_AS: ReadonlyMap<string, string> = new Map([['text', 'llm']]);
const STANDS_FOR: ReadonlyMap<string, string> = new Map([...SHOWN_AS].map(([type, shown]) => [shown, type]));

/** What a frontend shows for an agent's `type`: "llm" for "text". */
export const toDisplayType = (type: string): string => SHOWN_AS.get(type) ?? type;

/** The `type` behind what a frontend shows: "text" for "llm". The reverse of {@link toDisplayType} for every type that may be stored. */
export const fromDisplayType = (shown: string): string => STANDS_FOR.get(shown) ?? shown;

/**
 * The form in which a type is stored. A display word given as a type ("llm") is stored as the type it stands for, so
 * that the table is one to one in both directions.
 */
export const storedType = (type: string): string => fromDisplayType(type);
