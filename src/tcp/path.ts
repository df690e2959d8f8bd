/** What TCP needs of the way to its peer; the stack puts the network layer behind it. TCP does not know which family it runs on. */
import type { Packet } from '../link/packet.ts';

export interface Path {
  /** The largest packet that gets through, bytes with its IP header. */
  readonly mtu: number;
  /** Bytes of the IP header that `send` writes. */
  readonly headerLength: number;
  /** Of what is sent from now on: the IP header's time to live, and its Diffserv and ECN octet. RFC 9293 3.9.2 [MUST-48], [MUST-49]; [SHLD-22]: the former as it is. */
  ttl: number;
  tos: number;
  /** Sum of the pseudo-header's words without the TCP length. */
  readonly pseudoSum: number;
  /**
   * As much was handed over as may be before others have their turn: data waits until then, acknowledgments and replies do not. The
   * stack marks the connection dirty again.
   */
  readonly busy: boolean;
  /**
   * A packet to fill: its offset is where the TCP header begins, it has no parts.
   * @returns undefined while the interface is full; the stack marks the connection dirty again when there is room
   */
  take(): Packet | undefined;
  /** Sends what `take` gave, with `length` set to the TCP header's bytes and the payload in parts. */
  send(packet: Packet): void;
}
