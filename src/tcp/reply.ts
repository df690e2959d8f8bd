/** Segments that no connection sends: resets for what belongs to none, and the answers of embryos and TIME-WAIT records. */
import {
  ACK,
  FIN,
  RST,
  SYN,
  TCP_HEADER_LENGTH,
  type TcpSegment,
  writeNop,
  writeTcpHeader,
  writeTimestamps,
} from '../wire/tcp.ts';
import type { TcpContext } from './context.ts';
import type { Path } from './path.ts';
import type { Signer } from './signer.ts';
import { sealSegment } from './transmit.ts';

/** SEG.LEN: data, and SYN and FIN count as one each. */
export function segmentLength(segment: TcpSegment): number {
  return segment.payloadLength + ((segment.flags & SYN) !== 0 ? 1 : 0) + ((segment.flags & FIN) !== 0 ? 1 : 0);
}

/**
 * RFC 9293 3.10.7.1: the answer to a segment for a connection that does not exist. Not sent for a RST.
 * @param path back to where the segment came from
 * @param signer of the connection that is to be reset
 */
export function replyReset(context: TcpContext, path: Path, segment: TcpSegment, signer?: Signer): void {
  if ((segment.flags & RST) !== 0) return;
  const { sourcePort, destinationPort } = segment;
  if ((segment.flags & ACK) !== 0) {
    // <SEQ=SEG.ACK><CTL=RST>
    replySegment(context, path, destinationPort, sourcePort, segment.ack, 0, RST, 0, false, 0, 0, signer);
  } else {
    // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
    const ack = (segment.seq + segmentLength(segment)) | 0;
    replySegment(context, path, destinationPort, sourcePort, 0, ack, RST | ACK, 0, false, 0, 0, signer);
  }
  context.counters.OutRsts++;
}

/** A bare segment, with timestamps when asked. When the interface is full it is lost, as any packet may be. */
export function replySegment(
  context: TcpContext,
  path: Path,
  localPort: number,
  remotePort: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  timestamps: boolean,
  tsVal: number,
  tsEcr: number,
  signer?: Signer,
): void {
  const packet = path.take();
  if (packet === undefined) return;
  const view = packet.chunk.view;
  const at = packet.offset;
  let end = signer === undefined ? at + TCP_HEADER_LENGTH : signer.write(view, at + TCP_HEADER_LENGTH);
  if (timestamps) end = writeTimestamps(view, writeNop(view, writeNop(view, end)), tsVal, tsEcr);
  writeTcpHeader(view, at, localPort, remotePort, seq, ack, flags, window, 0, end - at);
  packet.length = end - at;
  signer?.sign(packet);
  sealSegment(packet, path.pseudoSum, end - at);
  context.counters.OutSegs++;
  path.send(packet);
}
