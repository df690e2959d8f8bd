/** Answers to segments that should not be: rate-limited, so that two stacks cannot chase each other's tails. RFC 5961 [MAY-12]. */
import type { TcpSegment } from '../wire/tcp.ts';
import { SYN } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { segmentLength } from './reply.ts';
import { transmitAck } from './transmit.ts';

/** RFC 5961 3.2, 4.2, 5.2: an ACK that a legitimate peer answers with what is right. */
export function challengeAck(connection: ControlBlock, now: number): void {
  const { counters } = connection.context;
  if (answersTooOften(connection, now)) {
    counters.TCPACKSkippedChallenge++;
    return;
  }
  if (!connection.context.mayChallenge(now)) return;
  counters.TCPChallengeACK++;
  if (!transmitAck(connection, now)) connection.ackNow = true;
}

/**
 * RFC 9293 3.10.7.4: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> for a segment outside the window. Segments with data are always answered,
 * bare ones not more often than tcp_invalid_ratelimit (Linux).
 * @returns false when this one was not answered
 */
export function outOfWindowAck(connection: ControlBlock, segment: TcpSegment, now: number): boolean {
  const bare = segmentLength(segment) === 0 || (segment.flags & SYN) !== 0;
  if (bare && answersTooOften(connection, now)) return false;
  if (!transmitAck(connection, now)) connection.ackNow = true;
  return true;
}

/** Whether the last such answer is less than tcp_invalid_ratelimit ago; if not, this is one. */
export function answersTooOften(connection: ControlBlock, now: number): boolean {
  const { outOfWindowAckAt: last, context } = connection;
  if (last >= 0 && now - last < context.config.tcp_invalid_ratelimit) return true;
  connection.outOfWindowAckAt = Math.floor(now);
  return false;
}
