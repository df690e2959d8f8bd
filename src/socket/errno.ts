/** Error numbers as on Linux (x86-64), their names, and their texts as the C library and Go print them. Calls return them negated. */

import { shown } from '../arguments.ts';

export const ENOENT = 2;
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const EBUSY = 16;
export const EFAULT = 14;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const EDOM = 33;
export const ENONET = 64;
export const EACCES = 13;
export const EPROTO = 71;
export const ENOTSOCK = 88;
export const EDESTADDRREQ = 89;
export const EMSGSIZE = 90;
export const ENOPROTOOPT = 92;
export const EPROTONOSUPPORT = 93;
export const ESOCKTNOSUPPORT = 94;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const EISCONN = 106;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTDOWN = 112;
export const EHOSTUNREACH = 113;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const EKEYREJECTED = 129;

const table: Record<number, readonly [name: string, text: string]> = {
  [ENOENT]: ['ENOENT', 'no such file or directory'],
  [EINTR]: ['EINTR', 'interrupted system call'],
  [EBADF]: ['EBADF', 'bad file descriptor'],
  [EAGAIN]: ['EAGAIN', 'resource temporarily unavailable'],
  [EBUSY]: ['EBUSY', 'device or resource busy'],
  [EFAULT]: ['EFAULT', 'bad address'],
  [EEXIST]: ['EEXIST', 'file exists'],
  [ENODEV]: ['ENODEV', 'no such device'],
  [EINVAL]: ['EINVAL', 'invalid argument'],
  [ENFILE]: ['ENFILE', 'too many open files in system'],
  [EMFILE]: ['EMFILE', 'too many open files'],
  [EPIPE]: ['EPIPE', 'broken pipe'],
  [ENONET]: ['ENONET', 'machine is not on the network'],
  [EACCES]: ['EACCES', 'permission denied'],
  [EPROTO]: ['EPROTO', 'protocol error'],
  [EDOM]: ['EDOM', 'numerical argument out of domain'],
  [ENOTSOCK]: ['ENOTSOCK', 'socket operation on non-socket'],
  [EDESTADDRREQ]: ['EDESTADDRREQ', 'destination address required'],
  [EMSGSIZE]: ['EMSGSIZE', 'message too long'],
  [ENOPROTOOPT]: ['ENOPROTOOPT', 'protocol not available'],
  [EPROTONOSUPPORT]: ['EPROTONOSUPPORT', 'protocol not supported'],
  [ESOCKTNOSUPPORT]: ['ESOCKTNOSUPPORT', 'socket type not supported'],
  [EOPNOTSUPP]: ['EOPNOTSUPP', 'operation not supported'],
  [EAFNOSUPPORT]: ['EAFNOSUPPORT', 'address family not supported by protocol'],
  [EADDRINUSE]: ['EADDRINUSE', 'address already in use'],
  [EADDRNOTAVAIL]: ['EADDRNOTAVAIL', 'cannot assign requested address'],
  [ENETDOWN]: ['ENETDOWN', 'network is down'],
  [ENETUNREACH]: ['ENETUNREACH', 'network is unreachable'],
  [ECONNABORTED]: ['ECONNABORTED', 'software caused connection abort'],
  [ECONNRESET]: ['ECONNRESET', 'connection reset by peer'],
  [EISCONN]: ['EISCONN', 'transport endpoint is already connected'],
  [ENOTCONN]: ['ENOTCONN', 'transport endpoint is not connected'],
  [ETIMEDOUT]: ['ETIMEDOUT', 'connection timed out'],
  [ECONNREFUSED]: ['ECONNREFUSED', 'connection refused'],
  [EHOSTDOWN]: ['EHOSTDOWN', 'host is down'],
  [EHOSTUNREACH]: ['EHOSTUNREACH', 'no route to host'],
  [EALREADY]: ['EALREADY', 'operation already in progress'],
  [EINPROGRESS]: ['EINPROGRESS', 'operation now in progress'],
  [EKEYREJECTED]: ['EKEYREJECTED', 'key was rejected by service'],
};

/** `ECONNREFUSED`, for a positive number. */
export function errnoName(errno: number): string {
  return table[errno]?.[0] ?? `errno ${shown(errno)}`;
}

/** `connection refused`, for a positive number. */
export function errnoText(errno: number): string {
  return table[errno]?.[1] ?? `errno ${shown(errno)}`;
}
