/**
 * The deadlines of a connection, by their column in the stack's timer table; and those that nobody waits for, which have a table of their
 * own: they keep neither a process nor a run of the virtual clock going.
 */

/** Linux's TCP_TIMEOUT_MIN, two ticks: the shortest time that a timer is set to, ms. */
export const TIMEOUT_MIN = 2;

/** RFC 6298: the oldest segment out has had its time; or one of its forerunners (sending-timer.ts). */
export const RETRANSMISSION = 0;
/** RFC 9293 3.8.6.1: probe a closed window, or override what else holds data back: silly window avoidance, TCP_CORK. */
export const PERSIST = 1;
/** RFC 9293 3.8.6.3. */
export const DELAYED_ACK = 2;
/** The next burst may leave (pacer.ts). */
export const PACING = 3;

export const TIMER_KINDS = 4;

/** RFC 9293 3.8.4; in the other table. */
export const KEEPALIVE = 0;
/** FIN-WAIT-2 of a connection that nobody holds, and TIME-WAIT; in the other table. */
export const LINGER = 1;

export const IDLE_TIMER_KINDS = 2;
