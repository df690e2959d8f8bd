#!/bin/sh -e
# Runs the program that it is given with a network around it, for the scenes of away.go: `unshare -nm ./away.sh ./facts`, as root.
# The host is 10.9.0.1 and fd00:9::1. Its neighbour 10.9.0.2, fd00:9::2 is a router; 10.9.0.9 and fd00:9::9 are nobody, and take all packets.
mount -t tmpfs none /run
mkdir /run/netns
cat >/run/hosts <<'HOSTS'
10.9.0.2 a.test b.test c.test d.test g.test h.test
10.9.0.9 a.test e.test
198.51.100.1 c.test
fd00:9::2 d.test h.test
fd00:9::9 e.test g.test
100.64.0.1 f.test
2001:db8::1 f.test
10.9.0.9 b.test
HOSTS
mount --bind /run/hosts /etc/hosts
ip link set lo up
ip netns add router
ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02 netns router
sysctl -qw net.ipv4.tcp_syn_retries=1 net.ipv4.tcp_syn_linear_timeouts=0
sysctl -qw net.ipv6.conf.v0.accept_dad=0 net.ipv6.conf.v0.accept_ra=0 net.ipv6.conf.v0.router_solicitations=0
ip address add 10.9.0.1/24 dev v0
ip address add fd00:9::1/64 dev v0 nodad
ip link set v0 up
ip netns exec router sh -ec '
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
  ip link set lo up
  ip address add 198.18.9.1/32 dev lo
  ip address add 10.9.0.2/24 dev v1
  ip address add fd00:9::2/64 dev v1 nodad
  ip link set v1 up
  ip route add unreachable 198.18.1.0/24
  ip route add prohibit 198.18.2.0/24
  ip -6 route add unreachable fd00:1::/64
  ip -6 route add prohibit fd00:2::/64'
for nobody in 10.9.0.9 fd00:9::9; do ip neighbour add $nobody dev v0 lladdr 02:00:00:00:00:09; done
for router in 10.9.0.2 fd00:9::2; do ip neighbour add $router dev v0 lladdr 02:00:00:00:00:02; done
for host in 10.9.0.1 fd00:9::1; do ip -n router neighbour add $host dev v1 lladdr 02:00:00:00:00:01; done
ip route add 198.18.0.0/16 via 10.9.0.2
for net in fd00:0 fd00:1 fd00:2; do ip route add $net::/64 via fd00:9::2; done
ip route add unreachable 198.51.100.0/24
ip route add prohibit 203.0.113.0/24
ip route add blackhole 192.0.2.0/26
ip -6 route add unreachable fd00:3::/64
ip -6 route add prohibit fd00:4::/64
ip -6 route add blackhole fd00:5::/64
ip netns exec router "$@" peer &
peer=$!
sleep 0.3
FACTS_AWAY=1 GODEBUG=netdns=go "$@"
kill $peer
