/** Why a connection closed; the sockets turn it into an errno. */

export const REASON_NONE = 0;
/** RFC 9293: "connection reset": a RST came. */
export const REASON_RESET = 1;
/** "connection refused": a RST answered our SYN. */
export const REASON_REFUSED = 2;
/** "connection aborted due to user timeout": R2, the user timeout, or keepalive gave up. */
export const REASON_TIMEOUT = 3;
/** The user aborted it, or closed it with data unread. */
export const REASON_ABORTED = 4;
/** The link under it ended. */
export const REASON_NETWORK_DOWN = 5;
/** ICMP said so (a soft error that became final, or a hard one while connecting). */
export const REASON_HOST_UNREACHABLE = 6;
export const REASON_NET_UNREACHABLE = 7;
export const REASON_NO_PROTOCOL = 8;
export const REASON_SOURCE_ROUTE_FAILED = 9;
export const REASON_HOST_DOWN = 10;
export const REASON_HOST_ISOLATED = 11;
/** A parameter problem: we sent something that was not understood. */
export const REASON_BAD_PARAMETER = 12;
/** A packet was too large for the path, and may not be fragmented. */
export const REASON_TOO_LARGE = 13;
/** A RST came after the peer's FIN: what we would still write is not wanted. */
export const REASON_BROKEN_PIPE = 14;
/** A router does not let such packets through, and says so. */
export const REASON_PROHIBITED = 15;

const names = [
  'none',
  'connection reset',
  'connection refused',
  'timed out',
  'aborted',
  'network is down',
  'host unreachable',
  'network unreachable',
  'protocol unreachable',
  'source route failed',
  'host is down',
  'host isolated',
  'parameter problem',
  'packet too large',
  'broken pipe',
  'prohibited',
];

export function closeReasonName(reason: number): string {
  return names[reason] ?? `reason ${reason}`;
}
