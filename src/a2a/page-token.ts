import { invalid, type RollcallError } from '../errors.ts';

/** What every list of A2A says of a cursor that it did not give. */
export const notPageToken = (): RollcallError =>
  invalid('pageToken', 'must be the nextPageToken of an answer to the same operation, or be left out.');
