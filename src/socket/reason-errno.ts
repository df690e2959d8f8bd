/** From the reason that a connection closed to the errno that its user sees. */
import {
  REASON_ABORTED,
  REASON_BAD_PARAMETER,
  REASON_BROKEN_PIPE,
  REASON_HOST_DOWN,
  REASON_HOST_ISOLATED,
  REASON_HOST_UNREACHABLE,
  REASON_NET_UNREACHABLE,
  REASON_NETWORK_DOWN,
  REASON_NO_PROTOCOL,
  REASON_PROHIBITED,
  REASON_REFUSED,
  REASON_RESET,
  REASON_SOURCE_ROUTE_FAILED,
  REASON_TIMEOUT,
  REASON_TOO_LARGE,
} from '../tcp/close-reason.ts';
import {
  EACCES,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENONET,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPIPE,
  EPROTO,
  ETIMEDOUT,
} from './errno.ts';

export function errnoOf(reason: number): number {
  switch (reason) {
    case REASON_RESET:
      return ECONNRESET;
    case REASON_BROKEN_PIPE:
      return EPIPE;
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
    // Linux's icmp_err_convert.
    case REASON_NO_PROTOCOL:
      return ENOPROTOOPT;
    case REASON_SOURCE_ROUTE_FAILED:
      return EOPNOTSUPP;
    case REASON_HOST_DOWN:
      return EHOSTDOWN;
    case REASON_HOST_ISOLATED:
      return ENONET;
    case REASON_PROHIBITED:
      return EACCES;
    case REASON_BAD_PARAMETER:
      return EPROTO;
    case REASON_TOO_LARGE:
      return EMSGSIZE;
    default:
      return 0;
  }
}
