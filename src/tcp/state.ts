/** The connection states of RFC 9293 3.3.2, as bits so that a set of states is a number. */

export const CLOSED = 1;
export const LISTEN = 2;
export const SYN_SENT = 4;
export const SYN_RECEIVED = 8;
export const ESTABLISHED = 16;
export const FIN_WAIT_1 = 32;
export const FIN_WAIT_2 = 64;
export const CLOSE_WAIT = 128;
export const CLOSING = 256;
export const LAST_ACK = 512;
export const TIME_WAIT = 1024;

/** States in which the peer's data is taken. */
export const RECEIVING = ESTABLISHED | FIN_WAIT_1 | FIN_WAIT_2;
/** States in which our FIN is queued or out. */
export const FIN_QUEUED = FIN_WAIT_1 | CLOSING | LAST_ACK;

const names: Record<number, string> = {
  [CLOSED]: 'CLOSED',
  [LISTEN]: 'LISTEN',
  [SYN_SENT]: 'SYN-SENT',
  [SYN_RECEIVED]: 'SYN-RECEIVED',
  [ESTABLISHED]: 'ESTABLISHED',
  [FIN_WAIT_1]: 'FIN-WAIT-1',
  [FIN_WAIT_2]: 'FIN-WAIT-2',
  [CLOSE_WAIT]: 'CLOSE-WAIT',
  [CLOSING]: 'CLOSING',
  [LAST_ACK]: 'LAST-ACK',
  [TIME_WAIT]: 'TIME-WAIT',
};

/** The state's name as the RFC prints it. */
export function stateName(state: number): string {
  return names[state] ?? `state ${state}`;
}
