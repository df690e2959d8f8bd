/** What socket options are set to. */

import type { TcpInfo } from '../tcp/info.ts';
import type { AoInfoStatus, AoKeyStatus, KeyValue } from './key-values.ts';

/** The largest value of an option that is an int. */
export const MAX_INT = 0x7fffffff;

/** What options are set to: TCP_CONGESTION takes a name, SO_LINGER, the timeouts and keys a structure, TCP_FASTOPEN_KEY bytes, all others an integer. */
export type OptionValue = number | string | Uint8Array | Linger | Timeval | KeyValue;

/** What getsockopt gives. */
export type OptionResult =
  | number
  | string
  | Uint8Array
  | Linger
  | Timeval
  | TcpInfo
  | AoInfoStatus
  | readonly AoKeyStatus[];

/** SO_LINGER: `linger` in seconds. */
export interface Linger {
  readonly onoff: number;
  readonly linger: number;
}

/** SO_RCVTIMEO and SO_SNDTIMEO: struct timeval. */
export interface Timeval {
  readonly sec: number;
  readonly usec: number;
}
