/**
 * What the resolver needs of a codec for DNS messages, and the plain records that it gives. The codec is handed in (`dnsCodec` of createHost):
 * `tunstack/node` has one on the package dns-packet.
 */
import type { IpAddress } from '../wire/address.ts';

/** The kinds of records that can be asked for. */
export type DnsType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SRV' | 'TXT';

export interface DnsQuery {
  /** 0..65535. */
  readonly id: number;
  /** Rooted: `example.com.`. */
  readonly name: string;
  readonly type: DnsType;
  /** The largest answer over UDP that is welcome, bytes; told in an OPT record (RFC 6891 6.2.3). */
  readonly udpSize: number;
  /** Sets the AD bit: what the server says of authenticity is trusted. */
  readonly authenticData: boolean;
}

export interface DnsQuestion {
  /** Rooted, in the case in which it came. */
  readonly name: string;
  /** One of DnsType, or anything else as text. */
  readonly type: string;
  /** Whether it is of class IN. */
  readonly isInternet: boolean;
}

/** A record, as far as anybody here looks at it; names are rooted. */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly address: IpAddress }
  | { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly name: string; readonly target: string }
  | { readonly type: 'MX'; readonly name: string; readonly preference: number; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  /** Its strings, put together. */
  | { readonly type: 'TXT'; readonly name: string; readonly text: string }
  | { readonly type: 'other'; readonly name: string };

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly recursionAvailable: boolean;
  /** With the upper bits of an OPT record, when there is one: 0..4095. */
  readonly rcode: number;
  /** How many questions the header tells of. */
  readonly questions: number;
  /** The first of them. */
  readonly question: DnsQuestion;
  /** The answers as far as they can be read. */
  readonly answers: readonly DnsRecord[];
  /** There should have been more of them, but what follows cannot be read. */
  readonly answersAreCut: boolean;
  readonly hasAdditional: boolean;
}

export interface DnsCodec {
  /** @returns undefined when the name cannot be written: a label that is empty or longer than 63 bytes, a name longer than 255 */
  encodeQuery(query: DnsQuery): Uint8Array | undefined;
  /**
   * Reads whatever bytes there are, in time that grows with their number. Must not throw.
   * @returns undefined when the header or the first question cannot be read
   */
  decode(bytes: Uint8Array): DnsMessage | undefined;
}

// RFC 1035 4.1.1: RCODE.
export const RCODE_SUCCESS = 0;
export const RCODE_SERVER_FAILURE = 2;
export const RCODE_NAME_ERROR = 3;
