/** What a route says in place of the host's settings: the metrics of `ip route`. Linux's places and bounds. */
import type { ControlBlock } from './control-block.ts';
import type { Path } from './path.ts';
import type { TcpSettings } from './settings.ts';

/** RFC 6928's initial window, segments: initcwnd, or tcp_init_cwnd. */
export function initialCwnd({ path, context }: ControlBlock): number {
  return path.metrics.initcwnd ?? context.config.tcp_init_cwnd;
}

/** DupThresh to begin with, segments: reordering, or tcp_reordering. */
export function initialReordering({ path, context }: ControlBlock): number {
  return path.metrics.reordering ?? context.config.tcp_reordering;
}

/** Lower bound of the RTO's variance term, microseconds: rto_min, or tcp_rto_min_us. */
export function leastRtoUs({ path, context }: ControlBlock): number {
  const { rtoMin } = path.metrics;
  return rtoMin === undefined ? context.config.tcp_rto_min_us : rtoMin * 1000;
}

/** The name of the congestion control to start with: the user's, or else the route's, or else the host's. */
export function chosenCongestion(settings: TcpSettings, path: Path): string {
  return settings.rare.congestionChosen ? settings.congestion : (path.metrics.congctl ?? settings.congestion);
}
