/** A device under test in each of RFC 9293's states, with a table of the numbers that are next there. */
import { SHUT_WR } from '../../src/socket/constants.ts';
import { connecting, established, listening, type PeerOptions, type WirePeer } from './wire-peer.ts';

export type StateName =
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

export interface StateNumbers {
  readonly name: StateName;
  /** RCV.NXT: where the peer's next segment starts. */
  readonly rcvNxt: number;
  readonly sndNxt: number;
  readonly sndUna: number;
}

/** From SYN-RECEIVED on: the states in which both sides know each other's numbers. */
export const SYNCHRONIZED: readonly StateNumbers[] = [
  { name: 'SYN-RECEIVED', rcvNxt: 1, sndNxt: 1, sndUna: 0 },
  { name: 'ESTABLISHED', rcvNxt: 1, sndNxt: 1, sndUna: 1 },
  { name: 'FIN-WAIT-1', rcvNxt: 1, sndNxt: 2, sndUna: 1 },
  { name: 'FIN-WAIT-2', rcvNxt: 1, sndNxt: 2, sndUna: 2 },
  { name: 'CLOSE-WAIT', rcvNxt: 2, sndNxt: 1, sndUna: 1 },
  { name: 'CLOSING', rcvNxt: 2, sndNxt: 2, sndUna: 1 },
  { name: 'LAST-ACK', rcvNxt: 2, sndNxt: 2, sndUna: 1 },
  { name: 'TIME-WAIT', rcvNxt: 2, sndNxt: 2, sndUna: 2 },
];

/** Those of the table that are named. */
export function statesOf(...names: StateName[]): StateNumbers[] {
  return SYNCHRONIZED.filter(({ name }) => names.includes(name));
}

/** Those of the table that are not named. */
export function statesBut(...names: StateName[]): StateNumbers[] {
  return SYNCHRONIZED.filter(({ name }) => !names.includes(name));
}

/** A DUT in the state, reached without data, with nothing left to expect. The socket is held by its user. */
export async function inState(name: StateName, options: PeerOptions = {}): Promise<WirePeer> {
  if (name === 'SYN-SENT') return connecting(options);
  if (name === 'SYN-RECEIVED') {
    const t = listening(options);
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA' });
    return t;
  }
  const t = await established(options);
  switch (name) {
    case 'ESTABLISHED':
      break;
    case 'FIN-WAIT-1':
      t.socket.shutdown(SHUT_WR);
      break;
    case 'FIN-WAIT-2':
      t.socket.shutdown(SHUT_WR);
      t.flush();
      t.inject({ seq: 1, ack: 2 });
      break;
    case 'CLOSE-WAIT':
      t.inject({ seq: 1, ack: 1, flags: 'FA' });
      break;
    case 'CLOSING':
      t.socket.shutdown(SHUT_WR);
      t.flush();
      t.inject({ seq: 1, ack: 1, flags: 'FA' });
      break;
    case 'LAST-ACK':
      t.inject({ seq: 1, ack: 1, flags: 'FA' });
      t.socket.shutdown(SHUT_WR);
      break;
    case 'TIME-WAIT':
      t.socket.shutdown(SHUT_WR);
      t.flush();
      t.inject({ seq: 1, ack: 2, flags: 'FA' });
  }
  t.drain();
  if (t.state() !== name) throw new Error(`wanted ${name}, got ${t.state()}\n${t.ladder()}`);
  return t;
}
