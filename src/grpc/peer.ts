/** The address of a caller. @param peer `host:port`, as grpc gives it */
export const addressOfPeer = (peer: string): string => peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
