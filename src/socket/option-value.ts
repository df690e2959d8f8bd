/** What socket options are set to. */

/** What options are set to: TCP_CONGESTION takes a name, SO_LINGER a structure, all others an integer. */
export type OptionValue = number | string | Linger;

/** SO_LINGER: `linger` in seconds. */
export interface Linger {
  readonly onoff: number;
  readonly linger: number;
}
