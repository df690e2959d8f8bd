/** What socket options are set to. */

import type { TcpInfo } from '../tcp/info.ts';
import type { AoInfoStatus, AoKeyStatus, KeyValue } from './key-values.ts';

/** What options are set to: TCP_CONGESTION takes a name, SO_LINGER and those of keys a structure, all others an integer. */
export type OptionValue = number | string | Linger | KeyValue;

/** What getsockopt gives. */
export type OptionResult = number | string | Linger | TcpInfo | AoInfoStatus | readonly AoKeyStatus[];

/** SO_LINGER: `linger` in seconds. */
export interface Linger {
  readonly onoff: number;
  readonly linger: number;
}
