import { registerEnumType } from 'type-graphql';

type Upper<T extends string> = { readonly [K: string]: T };

/** "apiKey" → API_KEY, "updatedAt" → UPDATED_AT, "0.3" → V0_3. */
export const enumName = (value: string): string =>
  value
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/^(\d)/, 'V$1')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();

/** Makes a GraphQL enum of a closed vocabulary: names in upper case, values as the core has them. */
export function enumOf<T extends string>(
  name: string,
  description: string,
  values: readonly T[],
  explained: Partial<Record<T, string>> = {},
): Upper<T> {
  const object = Object.fromEntries(values.map((value) => [enumName(value), value]));
  registerEnumType(object, {
    name,
    description,
    valuesConfig: Object.fromEntries(
      values.flatMap((value) =>
        explained[value] === undefined ? [] : [[enumName(value), { description: explained[value] }]],
      ),
    ),
  });
  return object;
}
