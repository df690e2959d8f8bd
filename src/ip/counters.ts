import { ECT0, ECT1, NOT_ECT } from '../wire/ecn.ts';
import type { InboundPacket } from './inbound.ts';

/** What `nstat` counts of IP and ICMP, under its SNMP names. */
export class IpCounters {
  InReceives = 0;
  InHdrErrors = 0;
  InAddrErrors = 0;
  InUnknownProtos = 0;
  InDelivers = 0;
  /** IpExt, by ECN field. */
  InNoECTPkts = 0;
  InECT1Pkts = 0;
  InECT0Pkts = 0;
  InCEPkts = 0;
  OutRequests = 0;
  OutDiscards = 0;
  OutNoRoutes = 0;
  /** Fragments that came; the stack does not put them together. */
  ReasmFails = 0;
  IcmpInMsgs = 0;
  IcmpInErrors = 0;
  IcmpInCsumErrors = 0;
  IcmpInEchos = 0;
  IcmpInDestUnreachs = 0;
  IcmpOutMsgs = 0;
  IcmpOutEchoReps = 0;
  IcmpOutDestUnreachs = 0;
  IcmpOutRateLimitHost = 0;
}

/** Counts a packet that came by its ECN field; a super-segment as its pieces. */
export function countEcn(counters: IpCounters, packet: InboundPacket): void {
  const field = packet.tos & 3;
  const pieces = packet.segmentSize > 0 ? piecesOf(packet) : 1;
  if (field === NOT_ECT) counters.InNoECTPkts += pieces;
  else if (field === ECT1) counters.InECT1Pkts += pieces;
  else if (field === ECT0) counters.InECT0Pkts += pieces;
  else counters.InCEPkts += pieces;
}

function piecesOf({ chunk, payloadOffset, payloadLength, segmentSize }: InboundPacket): number {
  const header = payloadLength < 20 ? payloadLength : (chunk.view.getUint8(payloadOffset + 12) >> 4) << 2;
  return Math.max(Math.ceil((payloadLength - header) / segmentSize), 1);
}
