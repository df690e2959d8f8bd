/** The deadlines of a connection, by their column in the stack's timer table. Keepalive and TIME-WAIT have a table of their own. */

/** RFC 6298: the oldest segment out has had its time. */
export const RETRANSMISSION = 0;
/** RFC 9293 3.8.6.1: probe a closed window, or override the sender's silly window avoidance. */
export const PERSIST = 1;
/** RFC 9293 3.8.6.3. */
export const DELAYED_ACK = 2;
/** FIN-WAIT-2 of a connection that nobody holds, and the end of a lingering close. */
export const LINGER = 3;
/** TCP_CORK lets go. */
export const CORK = 4;

export const TIMER_KINDS = 5;

export const timerNames: readonly string[] = ['retransmission', 'persist', 'delayed-ack', 'linger', 'cork'];
