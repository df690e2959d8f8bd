/** What few users set on a socket: an object that its settings get with the first of them, so that the others pay nothing for it. */
export class RareSettings {
  /** SO_PRIORITY and SO_MARK: kept for whoever asks; nothing here queues or routes by them. */
  priority = 0;
  mark = 0;
  /** SO_MAX_PACING_RATE, bytes a second. */
  maxPacingRate = Infinity;
  /** SO_RCVTIMEO and SO_SNDTIMEO, ms; 0: for ever. For faces that wait: the calls of a socket never do. */
  receiveTimeout = 0;
  sendTimeout = 0;
  /** SO_REUSEPORT. */
  reusePort = false;
  /** IP_FREEBIND: bind takes an address that is not the host's yet. */
  freeBind = false;
  /** IP_LOCAL_PORT_RANGE: first and last ephemeral port; 0: the host's. */
  localPortLow = 0;
  localPortHigh = 0;
}
