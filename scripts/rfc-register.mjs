/**
 * What a complete TCP/IP stack has, row by row, as docs/rfc.md answers it. A row names RFCs, or words (`names`: options, settings), and
 * that is all where citations in source and tests speak for themselves. What they cannot say stands here:
 *
 *   notYet      the row is missing; there must be no source and tests that cite it
 *   untested    the code is there, tests that name it are not
 *   partly      what is missing of it
 *   exception   why it is not to be
 *   instead     of an RFC in `rfcs`: which other answers for it
 */
export const core = [
  { what: 'TCP: states, calls, segments; each requirement is in the table below', rfcs: [9293] },
  { what: 'what hosts must do beside it: keepalive, acknowledgments, errors', rfcs: [1122] },
  { what: 'the retransmission timeout', rfcs: [6298] },
  {
    what: 'slow start, congestion avoidance, fast retransmit and recovery, limited transmit, restart after idle',
    rfcs: [5681, 6582, 3042],
  },
  { what: 'an initial window of 10', rfcs: [6928] },
  { what: 'window scale, timestamps, PAWS', rfcs: [7323] },
  { what: 'SACK, D-SACK, recovery by scoreboard', rfcs: [2018, 2883, 6675] },
  { what: 'RACK-TLP', rfcs: [8985] },
  {
    what: 'proportional rate reduction',
    rfcs: [6937],
    instead: { 9937: 'the revision of 6937; its text is not at hand' },
  },
  {
    what: 'F-RTO and Eifel: undo of what was spurious',
    rfcs: [5682, 4015],
    instead: { 3522: 'the detection; 4015 is the response' },
  },
  { what: 'CUBIC', rfcs: [8312], instead: { 9438: 'revises 8312, whose text is cited' } },
  { what: 'HyStart++', rfcs: [9406] },
  { what: 'BBR v3 with pacing', names: ['bbr', 'pacer'] },
  { what: 'congestion window validation', rfcs: [7661], instead: { 2861: 'superseded by 7661' } },
  { what: 'ECN', rfcs: [3168], instead: { 8311: 'only lets experiments such as ABE be' } },
  { what: 'ABE', rfcs: [8511] },
  { what: 'DCTCP', rfcs: [8257] },
  { what: 'accurate ECN', rfcs: [9768] },
  { what: 'challenge ACKs against blind attacks', rfcs: [5961] },
  { what: 'initial sequence numbers', rfcs: [6528] },
  { what: 'ephemeral ports at random', rfcs: [6056] },
  { what: 'SYN queue, SYN cookies', rfcs: [4987] },
  { what: 'TCP Fast Open', rfcs: [7413] },
  { what: 'TIME-WAIT: assassination, reuse', rfcs: [1337, 6191] },
  {
    what: 'user timeout',
    rfcs: [5482],
    partly: 'the option is told of, and neither sent nor obeyed, as on Linux: only TCP_USER_TIMEOUT sets a timeout',
  },
  { what: 'TCP-AO', rfcs: [5925, 5926] },
  { what: 'TCP-MD5', rfcs: [2385] },
  { what: 'path MTU discovery, ICMP that attacks', rfcs: [1191, 5927] },
  { what: 'probing of the path MTU', rfcs: [4821], instead: { 8899: 'the same for datagrams' } },
  { what: 'receive window auto-tuning', names: ['tcp_moderate_rcvbuf'] },
  { what: 'memory limits with pressure', names: ['tcp_mem'] },
];

export const below = [
  { what: 'IPv4: the header and its options, identification, addresses', rfcs: [791, 6864, 1918] },
  { what: 'what hosts must do on the Internet layer', rfcs: [1122] },
  { what: 'fragments of both families', rfcs: [815, 5722, 6946, 7112, 7739, 8021] },
  { what: 'ICMP', rfcs: [792] },
  {
    what: 'routers: forwarding, IP options, ICMP errors and how often',
    rfcs: [1812, 1624],
    partly:
      'no redirects, which a network of few hosts can do without; source routes and directed broadcasts are dropped (RFC 7126, RFC 2644); multicast is not routed',
  },
  { what: 'IPv6: the header, extension headers, fragments', rfcs: [8200, 5095] },
  {
    what: 'addresses of IPv6, scopes and zones',
    rfcs: [4291, 4007, 4193],
    partly: 'no group can be joined but those that addresses ask for',
  },
  { what: 'ICMPv6', rfcs: [4443] },
  { what: 'path MTU discovery of IPv6', rfcs: [8201] },
  { what: 'flow labels', rfcs: [6437] },
  { what: 'the choice of source and destination addresses', rfcs: [6724] },
  {
    what: 'UDP',
    rfcs: [768, 8085],
    partly:
      'no IP options (RFC 1122 4.1.3.2), and no groups to join; the congestion control that RFC 8085 asks for is the matter of who uses it',
  },
  { what: 'IPv4 and IPv6 over Ethernet', rfcs: [894, 2464] },
  { what: 'ARP, address conflicts', rfcs: [826, 5227] },
  {
    what: 'neighbour discovery, duplicate addresses',
    rfcs: [4861, 4862],
    partly:
      'of router advertisements only the hardware address is taken over; no address is made of a prefix, redirects are counted',
  },
  { what: 'names: DNS messages, what a resolver does, EDNS, localhost', rfcs: [1035, 1123, 6891, 6761] },
  { what: 'dialling names of both families', rfcs: [6555] },
  {
    what: 'happy eyeballs: stagger and interleaving',
    rfcs: [8305],
    exception: 'dialling follows Go, whose rules are older and simpler: one wait, for one family (RFC 6555)',
  },
];

/** What else is cited: other clauses of use, or where an idea is from. */
export const cited = {
  862: 'the echo service',
  1034: 'domain names',
  1071: 'computing the checksum',
  1112: 'multicast of IPv4',
  1321: 'MD5',
  2104: 'HMAC',
  2202: 'vectors of HMAC-SHA-1',
  2308: 'negative answers of DNS',
  2525: 'known problems of TCP implementations',
  2644: 'directed broadcasts are not forwarded',
  2710: 'multicast listener discovery, version 1',
  2711: 'the Router Alert of IPv6',
  2782: 'records of services',
  3021: 'networks of two addresses',
  3465: 'appropriate byte counting',
  3493: 'sockets of IPv6',
  3542: 'more of sockets of IPv6',
  3596: 'DNS of IPv6',
  3708: 'D-SACK tells what was sent again in vain',
  3810: 'multicast listener discovery',
  3927: 'link-local addresses of IPv4',
  4343: 'letters of either case in names',
  4493: 'AES-CMAC',
  4615: 'AES-CMAC with keys of any length',
  4898: 'statistics of a connection',
  5321: 'mail',
  5452: 'forged answers of DNS',
  5952: 'the text of IPv6 addresses',
  6069: 'back-off that ICMP takes back',
  6093: 'urgent data',
  6274: 'security of IPv4',
  6691: 'MSS and options',
  6980: 'neighbour discovery in no fragments',
  6994: 'shared experimental options',
  7042: 'numbers of Ethernet',
  7126: 'filtering of IPv4 options',
  7505: 'no mail',
  7686: 'names under onion',
  7766: 'DNS over TCP',
  9235: 'vectors of TCP-AO',
};

/** BSD sockets: calls, flags, options, each a row. */
export const sockets = [
  'bind() listen() accept() connect() send() recv() sendv() shutdown() close() getsockname() getpeername() poll() ioctl()',
  'MSG_PEEK MSG_WAITALL MSG_OOB MSG_DONTWAIT MSG_MORE MSG_NOSIGNAL MSG_FASTOPEN',
  'POLLIN POLLOUT POLLRDHUP POLLHUP POLLERR POLLPRI',
  'SO_REUSEADDR SO_REUSEPORT SO_LINGER SO_KEEPALIVE SO_RCVBUF SO_SNDBUF SO_ERROR SO_OOBINLINE SO_RCVLOWAT SO_RCVTIMEO SO_SNDTIMEO',
  'SO_BINDTODEVICE SO_ACCEPTCONN SO_BROADCAST',
  'IP_TOS IP_TTL IP_MTU_DISCOVER IP_TRANSPARENT IP_FREEBIND IP_BIND_ADDRESS_NO_PORT IP_PKTINFO IP_RECVERR',
  'IPV6_V6ONLY IPV6_TCLASS IPV6_UNICAST_HOPS IPV6_MTU_DISCOVER IPV6_RECVPKTINFO IPV6_RECVERR',
  'TCP_NODELAY TCP_CORK TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT TCP_LINGER2 TCP_DEFER_ACCEPT TCP_WINDOW_CLAMP',
  'TCP_INFO TCP_QUICKACK TCP_CONGESTION TCP_USER_TIMEOUT TCP_FASTOPEN TCP_FASTOPEN_CONNECT TCP_NOTSENT_LOWAT TCP_MD5SIG TCP_INQ TCP_SAVE_SYN TCP_SAVED_SYN TCP_CC_INFO TCP_THIN_LINEAR_TIMEOUTS',
  'ListenOverflows ListenDrops tcp_abort_on_overflow accept_reset',
].flatMap((line) => line.split(' '));

/** Those of them that the socket layer does not take. */
export const socketsNotYet = [];
