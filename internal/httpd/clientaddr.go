package httpd

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr returns who sent a request: the peer, unless it is a trusted proxy. Then it is the right-most
// address of X-Forwarded-For that is not a trusted proxy itself: each proxy appends whom it heard, so what
// is further left is only hearsay. Where that chain breaks off or can't be read, it is the last address
// that a trusted proxy vouched for. The header Forwarded (RFC 7239) is not read: a proxy that sets one
// header passes the other on as the client forged it.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := plain(peer.Addr())
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for rest, more := line, true; more; {
			if !within(client, trusted) {
				return client
			}
			var last string
			rest, last, more = cutLast(rest)
			heard, ok := parseHop(last)
			if !ok {
				return client
			}
			client = heard
		}
	}
	return client
}

// byTLS tells whether a request came by TLS: to us, or to the trusted proxy that is the peer, as the last
// word of its X-Forwarded-Proto says.
func byTLS(r *http.Request, trusted []netip.Prefix) bool {
	if r.TLS != nil {
		return true
	}
	lines := r.Header["X-Forwarded-Proto"]
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || len(lines) == 0 || !within(plain(peer.Addr()), trusted) {
		return false
	}
	_, last, _ := cutLast(lines[len(lines)-1])
	return strings.EqualFold(strings.Trim(last, " \t"), "https")
}

// cutLast cuts a list at its last comma.
func cutLast(list string) (before, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parseHop reads one address, to which some proxies add the port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if addr, err := netip.ParseAddr(s); err == nil {
		return plain(addr), true
	}
	if addrPort, err := netip.ParseAddrPort(s); err == nil {
		return plain(addrPort.Addr()), true
	}
	return netip.Addr{}, false
}

// plain returns the one form of an address under which it is compared and counted.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
