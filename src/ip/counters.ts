/** What `nstat` counts of IP and ICMP, under its SNMP names. */
export class IpCounters {
  InReceives = 0;
  InHdrErrors = 0;
  InAddrErrors = 0;
  InUnknownProtos = 0;
  InDelivers = 0;
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
