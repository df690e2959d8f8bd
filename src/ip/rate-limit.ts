/** Token buckets for ICMP errors: one for the host, one per destination. RFC 1812 4.3.2.8, RFC 1122 3.2.2; Linux's icmp_ratelimit. */

/** Destinations remembered; beyond them the oldest is forgotten, and with it its debt. */
const DESTINATIONS = 1024;
/** Errors that a destination that was quiet gets in a row (Linux). */
const BURST = 6;

interface Bucket {
  tokens: number;
  at: number;
}

export class IcmpRateLimit {
  readonly #byDestination = new Map<number, Bucket>();
  #tokens = 0;
  #at = -Infinity;

  /** Destinations remembered. */
  get size(): number {
    return this.#byDestination.size;
  }

  /**
   * Whether another error may go to that destination.
   * @param destination any number that stands for it
   * @param intervalMs milliseconds between errors to one destination, on average
   * @param perSecond errors a second for the host
   */
  allow(destination: number, intervalMs: number, perSecond: number, now: number): boolean {
    if (perSecond === 0) return false;
    this.#tokens = Math.min(this.#tokens + ((now - this.#at) * perSecond) / 1000, Math.max(perSecond / 20, 1));
    this.#at = now;
    if (this.#tokens < 1) return false;
    let bucket = this.#byDestination.get(destination);
    if (bucket === undefined) {
      if (this.#byDestination.size >= DESTINATIONS) this.#forgetOldest();
      bucket = { tokens: BURST, at: now };
      this.#byDestination.set(destination, bucket);
    }
    if (intervalMs > 0) bucket.tokens = Math.min(bucket.tokens + (now - bucket.at) / intervalMs, BURST);
    else bucket.tokens = BURST;
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    this.#tokens--;
    return true;
  }

  #forgetOldest(): void {
    for (const key of this.#byDestination.keys()) {
      this.#byDestination.delete(key);
      return;
    }
  }
}
