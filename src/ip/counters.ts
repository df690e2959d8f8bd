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
  /** Of packets for others: sent on, or without a route; IpExt has the latter on Linux. */
  ForwDatagrams = 0;
  InNoRoutes = 0;
  /** Packets that rp_filter did not believe; TcpExt has it on Linux. */
  IPReversePathFilter = 0;
  /** Fragments that came, datagrams that became whole of them, and failures: what was dropped, or timed out. */
  ReasmReqds = 0;
  ReasmOKs = 0;
  ReasmFails = 0;
  ReasmTimeout = 0;
  /** IpExt. */
  ReasmOverlaps = 0;
  /** Datagrams that were sent in fragments, or could not be, and fragments. */
  FragOKs = 0;
  FragFails = 0;
  FragCreates = 0;
  IcmpInMsgs = 0;
  IcmpInErrors = 0;
  IcmpInCsumErrors = 0;
  IcmpInEchos = 0;
  IcmpInDestUnreachs = 0;
  IcmpInTimeExcds = 0;
  IcmpInParmProbs = 0;
  IcmpOutMsgs = 0;
  IcmpOutEchoReps = 0;
  IcmpOutDestUnreachs = 0;
  IcmpOutTimeExcds = 0;
  IcmpOutParmProbs = 0;
  IcmpOutRateLimitHost = 0;
  /** The same of IPv6. */
  Ip6InReceives = 0;
  Ip6InHdrErrors = 0;
  Ip6InAddrErrors = 0;
  Ip6InUnknownProtos = 0;
  Ip6InTruncatedPkts = 0;
  Ip6InDiscards = 0;
  Ip6InDelivers = 0;
  Ip6InMcastPkts = 0;
  Ip6OutRequests = 0;
  Ip6OutDiscards = 0;
  Ip6OutNoRoutes = 0;
  Ip6OutForwDatagrams = 0;
  Ip6InNoRoutes = 0;
  Ip6InTooBigErrors = 0;
  Ip6ReasmReqds = 0;
  Ip6ReasmOKs = 0;
  Ip6ReasmFails = 0;
  Ip6ReasmTimeout = 0;
  Ip6FragOKs = 0;
  Ip6FragFails = 0;
  Ip6FragCreates = 0;
  Icmp6InMsgs = 0;
  Icmp6InErrors = 0;
  Icmp6InCsumErrors = 0;
  Icmp6InEchos = 0;
  Icmp6InDestUnreachs = 0;
  Icmp6InPktTooBigs = 0;
  Icmp6InTimeExcds = 0;
  Icmp6InParmProblems = 0;
  Icmp6OutMsgs = 0;
  Icmp6OutEchoReplies = 0;
  Icmp6OutDestUnreachs = 0;
  Icmp6OutPktTooBigs = 0;
  Icmp6OutTimeExcds = 0;
  Icmp6OutParmProblems = 0;
  Icmp6OutRateLimitHost = 0;
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
