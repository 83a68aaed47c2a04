/** What a caller may give as the id of a request; anything else is replaced by one of ours. */
export const REQUEST_ID = /^[A-Za-z0-9._-]{1,100}$/;
