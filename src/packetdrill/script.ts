/** A packetdrill script as the parser understands it. Times are in milliseconds, numbers as the script writes them. */

export interface Script {
  /** What the script is called in messages. */
  readonly name: string;
  readonly options: readonly ScriptOption[];
  readonly events: readonly ScriptEvent[];
}

/** A `--name=value` line; `value` is empty when there is none. */
export interface ScriptOption {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

export type EventTime =
  /** `0.100`: since the start. */
  | { readonly kind: 'absolute'; readonly at: number }
  /** `+0.100`: since the event before. */
  | { readonly kind: 'relative'; readonly at: number }
  /** `+0.1~+0.2` or `0.1~0.2`. */
  | { readonly kind: 'range'; readonly at: number; readonly to: number; readonly relative: boolean }
  /** `*`. */
  | { readonly kind: 'any' }
  /** A command before the first event or after the last one. */
  | { readonly kind: 'none' };

export interface ScriptEvent {
  readonly line: number;
  readonly time: EventTime;
  /** `+0...0.2`: the call waits until then, counted from where `time` counts. */
  readonly until?: number;
  readonly action: Action;
  /** The words of the script, on one line. */
  readonly text: string;
}

export type Action = PacketAction | CallAction | CodeAction | CommandAction;

export interface PacketAction {
  readonly kind: 'packet';
  readonly direction: 'in' | 'out';
  readonly packet: PacketSpec;
}

export interface CallAction {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expression[];
  /** What it must return; absent: anything. */
  readonly result: Expression | undefined;
  /** The errno that must go with a result of -1; absent: any. */
  readonly errno: string | undefined;
}

/** `%{ ... }%`. */
export interface CodeAction {
  readonly kind: 'code';
  readonly code: string;
}

/** `` `...` ``. */
export interface CommandAction {
  readonly kind: 'command';
  readonly command: string;
}

export type PacketSpec = TcpSpec | UdpSpec | IcmpSpec | OtherSpec;

/** What a packet says of its IP header; what is absent is not compared. */
export interface IpSpec {
  /** 0..3; `ect`: ECT(0) or ECT(1). */
  readonly ecn?: number | 'ect';
  readonly tos?: number;
  readonly ttl?: number;
  readonly flowLabel?: number;
}

export interface TcpSpec {
  readonly protocol: 'tcp';
  readonly ip: IpSpec;
  /** FIN .. AE as in wire/tcp; `any`: not compared. */
  readonly flags: number | 'any';
  readonly seq: number;
  /** Payload bytes. */
  readonly length: number;
  readonly ack: number | undefined;
  /** As on the wire, not scaled. */
  readonly win: number | undefined;
  readonly urg: number | undefined;
  readonly options: readonly OptionSpec[] | 'any';
}

export interface UdpSpec {
  readonly protocol: 'udp';
  readonly ip: IpSpec;
  readonly length: number;
}

export interface IcmpSpec {
  readonly protocol: 'icmp';
  readonly ip: IpSpec;
  /** `unreachable`, `packet_too_big`, `echo_request` ..., or a number. */
  readonly type: string;
  readonly code: string | undefined;
  readonly mtu: number | undefined;
  /** Of an echo. */
  readonly id: number | undefined;
  readonly quoted: QuotedSpec | undefined;
}

/** What an ICMP error quotes: a segment, by its first sequence number and payload length, or bytes behind an IP header that mean nothing. */
export type QuotedSpec =
  | { readonly protocol: 'tcp'; readonly seq: number; readonly length: number }
  | { readonly protocol: 'udp' | 'raw'; readonly length: number };

/** A packet inside another, which is parsed no further. */
export interface OtherSpec {
  readonly protocol: 'other';
  readonly what: string;
}

/** A TCP option; cookies and digests are lower-case hexadecimal. */
export type OptionSpec =
  | { readonly name: 'nop' | 'eol' | 'sackOK' }
  | { readonly name: 'mss' | 'wscale'; readonly value: number }
  | { readonly name: 'TS'; readonly val: number | string; readonly ecr: number | string }
  | { readonly name: 'sack'; readonly blocks: readonly (readonly [left: number, right: number])[] }
  | { readonly name: 'FO' | 'FOEXP' | 'md5'; readonly hex: string }
  | { readonly name: 'ao'; readonly keyId: number; readonly rnextKeyId: number; readonly hex: string }
  /** Accurate ECN: counters in the order on the wire, `e0b` or `e1b` first. */
  | { readonly name: 'ECN'; readonly counters: readonly (readonly [which: string, value: number])[] }
  /** Any other kind, `hex` being what follows the length. */
  | { readonly name: 'kind'; readonly kind: number; readonly hex: string };

export type Expression =
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

/** `name = value`, or a value whose place says what it is. */
export interface StructField {
  readonly name: string | undefined;
  readonly value: Expression;
}
