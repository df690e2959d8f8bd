/** From the reason that a connection closed to the errno that its user sees. */
import {
  REASON_ABORTED,
  REASON_HOST_UNREACHABLE,
  REASON_NET_UNREACHABLE,
  REASON_NETWORK_DOWN,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TIMEOUT,
} from '../tcp/close-reason.ts';
import {
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTUNREACH,
  ENETDOWN,
  ENETUNREACH,
  EPIPE,
  ETIMEDOUT,
} from './errno.ts';

/** @param finReceived the peer had closed its side: then a RST says that what we wrote was not wanted (Linux: EPIPE) */
export function errnoOf(reason: number, finReceived: boolean): number {
  switch (reason) {
    case REASON_RESET:
      return finReceived ? EPIPE : ECONNRESET;
    case REASON_REFUSED:
      return ECONNREFUSED;
    case REASON_TIMEOUT:
      return ETIMEDOUT;
    case REASON_ABORTED:
      return ECONNABORTED;
    case REASON_NETWORK_DOWN:
      return ENETDOWN;
    case REASON_HOST_UNREACHABLE:
      return EHOSTUNREACH;
    case REASON_NET_UNREACHABLE:
      return ENETUNREACH;
    default:
      return 0;
  }
}
