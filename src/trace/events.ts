/**
 * What happens inside a host, as small events for whoever watches. A stack without a sink pays one null check.
 * Writers of counters, plots, ladders and `ss` texts stand on this stream.
 */

/** Which connection: local and remote address and port, printed `10.9.0.2:80`. */
export interface Flow {
  readonly local: string;
  readonly remote: string;
}

export type TraceEvent =
  /** A connection went from one state of RFC 9293 to another. */
  | { readonly type: 'state'; readonly at: number; readonly flow: Flow; readonly from: string; readonly to: string }
  /** A packet was dropped, with the reason's name (`ip-bad-checksum`, `tcp-paws`). */
  | { readonly type: 'drop'; readonly at: number; readonly reason: string; readonly flow?: Flow }
  /** A timer of a connection fired (`retransmission`, `persist`, `keepalive`, ...). */
  | { readonly type: 'timeout'; readonly at: number; readonly flow: Flow; readonly timer: string }
  /** Bytes went out again; `seq` is relative to the ISS. */
  | {
      readonly type: 'retransmit';
      readonly at: number;
      readonly flow: Flow;
      readonly seq: number;
      readonly length: number;
    }
  /** Congestion state: cwnd and ssthresh in segments, and what changed them. */
  | {
      readonly type: 'congestion';
      readonly at: number;
      readonly flow: Flow;
      readonly state: string;
      readonly cwnd: number;
      readonly ssthresh: number;
    }
  /** Another host on a link uses an address of this one; `kept`: so does this one still. */
  | {
      readonly type: 'conflict';
      readonly at: number;
      readonly interface: string;
      readonly address: string;
      readonly hardwareAddress: string;
      readonly kept: boolean;
    }
  /** A connection ended, with the reason. */
  | { readonly type: 'closed'; readonly at: number; readonly flow: Flow; readonly reason: string };

export type TraceSink = (event: TraceEvent) => void;
