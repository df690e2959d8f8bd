/** What went over a connection, for TCP_INFO (RFC 4898's counts, as Linux has them): made with the first data. */
export class Traffic {
  /** Payload sent, retransmissions among it, and of these alone. */
  bytesSent = 0;
  bytesRetrans = 0;
  /** Sequence numbers acknowledged, our FIN's among them, but not our SYN's; bytes received in order, without the peer's FIN. */
  bytesAcked = 0;
  bytesReceived = 0;
  /** Segments with data. */
  dataSegsOut = 0;
  dataSegsIn = 0;
  /** Segments that came out of order. */
  outOfOrder = 0;
}
