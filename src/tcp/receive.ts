/** RECEIVE: RFC 9293 3.10.3, with the urgent byte's place in the stream. */
import type { ControlBlock } from './control-block.ts';
import { acknowledgeRead } from './delayed-ack.ts';
import { atMark, bytesToMark, leaveMark } from './urgent.ts';

/**
 * Copies what is there, at most `count` bytes, and stops before the mark; unless `peek`, the window moves on.
 * @param target undefined: the bytes are thrown away (MSG_TRUNC)
 */
export function receive(
  connection: ControlBlock,
  target: Uint8Array | undefined,
  from: number,
  count: number,
  peek: boolean,
  now: number,
): number {
  const { receiveQueue, urgent } = connection;
  let most = count;
  let passed = 0;
  if (urgent !== undefined) {
    if (atMark(connection) && receiveQueue.length > 0) {
      if (!connection.settings.rare.oobInline) passed = 1;
    } else {
      most = Math.min(count, bytesToMark(connection));
    }
    if (passed > 0 && !peek) receiveQueue.skip(passed);
  }
  // A reader that only looks passes over the byte without moving it.
  const skipped = peek ? passed : 0;
  const got =
    target !== undefined
      ? receiveQueue.read(target, from, most, peek, skipped)
      : peek
        ? Math.min(most, receiveQueue.length - skipped)
        : receiveQueue.skip(most);
  if (peek || got + passed === 0) return got;
  if (urgent !== undefined) leaveMark(connection);
  if (connection.released) return got;
  const space = connection.receiveSpace;
  if (space !== undefined) {
    space.memory.give(got + passed);
    space.adjust(connection, now);
  }
  acknowledgeRead(connection);
  return got;
}
