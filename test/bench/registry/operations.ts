/** The operations that Rollcall and its peer both answer. The peer knows them by their names. */
const AGENT = `id handle name description version type executionType status inputModes outputModes capabilities url
  createdAt updatedAt provider { id name url } skills { id key name description tags examples }`;

const PAGE = `query AgentPage($first: Int!, $after: String) {
  agents(first: $first, after: $after) { nodes { ${AGENT} } pageInfo { hasNextPage endCursor } }
}`;
const ONE = `query OneAgent($id: ID!) { agent(id: $id) { ${AGENT} } }`;

export const pageBody = (after: string | null): string =>
  JSON.stringify({ operationName: 'AgentPage', query: PAGE, variables: { first: 20, after } });
export const agentBody = (id: string): string =>
  JSON.stringify({ operationName: 'OneAgent', query: ONE, variables: { id } });
