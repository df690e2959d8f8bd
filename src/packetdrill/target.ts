/** What a script is played against: a host in memory (machine.ts), or another that has sockets and a link that the script holds. */
import type { Socket } from '../socket/socket.ts';

/** A packet of the host's or the script's, `at` in ms since the start. */
export interface PassedPacket {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly direction: 'in' | 'out';
}

/** The calls of a socket that system calls are made of; they never wait. */
export interface TestSocket
  extends Pick<
    Socket,
    | 'awaitWrite'
    | 'bind'
    | 'close'
    | 'connect'
    | 'disconnect'
    | 'getpeername'
    | 'getsockname'
    | 'getsockopt'
    | 'ioctl'
    | 'listen'
    | 'poll'
    | 'recv'
    | 'recvmsg'
    | 'send'
    | 'sendv'
    | 'setsockopt'
    | 'shutdown'
  > {
  accept(): TestSocket | number;
}

export interface Target {
  /** ms since the start. */
  readonly now: number;
  /** Packets that the host sent and nobody has looked at, oldest first. */
  readonly sent: PassedPacket[];
  /** All packets. */
  readonly passed: PassedPacket[];
  /** Called whenever something may have changed: after packets, timers, calls. */
  onChange: () => void;
  /** socket(2). @returns a socket, or a negated errno */
  socket(domain: number, type: number, protocol: number): TestSocket | number;
  /**
   * A shell command.
   * @param note told what was left undone and why that is all right
   * @returns its exit status
   */
  command(text: string, note: (text: string) => void): number;
  /** Wakes at that time: `onChange` is called. */
  alarm(at: number): void;
  /** What calls have set going goes on, at the time that it is. */
  settle(): void;
  /** Lets time pass until `until`, or until `enough()`. @returns whether it was enough */
  run(until: number, enough: () => boolean): boolean;
  /** A packet comes from the link. @param pieceSize payload of its pieces when it is a super-segment, bytes; 0: it is none */
  inject(bytes: Uint8Array, pieceSize: number): void;
  /** Ends it. @returns chunks of memory that somebody still holds: 0 unless there is a leak */
  close(): number;
}
