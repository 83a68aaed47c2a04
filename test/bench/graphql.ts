/** Any GraphQL request. @throws Error with what the server said. */
export async function ask<T>(url: string, body: string, token?: string): Promise<T> {
  const answer = await fetch(new URL('graphql', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
  });
  const text = await answer.text();
  const { data, errors } = JSON.parse(text) as { data?: T; errors?: unknown };
  if (errors !== undefined || data === undefined)
    throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  return data;
}

/** A mutation with one input; answers the fields that are asked for. */
export async function mutate<T>(url: string, field: string, input: object, shown = 'id'): Promise<T> {
  const type = `${field[0]!.toUpperCase()}${field.slice(1)}Input`;
  const query = `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;
  return (await ask<Record<string, T>>(url, JSON.stringify({ query, variables: { input } })))[field]!;
}
