package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
)

// brokers looks at every MQTT broker of the configuration, once.
func (v *visit) brokers() {
	seen := map[string]bool{}
	look := func(address, caFile string) {
		if !seen[address+" "+caFile] {
			seen[address+" "+caFile] = true
			v.broker(address, caFile)
		}
	}
	for _, c := range v.Config.Sensors {
		if c.Type == sensor.MQTT {
			look(c.URL, c.CAFile)
		}
	}
	for _, c := range v.Config.Sinks {
		if c.Type == sink.KindMQTT {
			look(c.URL, c.CAFile)
		}
	}
}

// lan opens the unit's filter of addresses for the local network.
var lan = []string{
	"install -D -m 644 systemd/20-mqtt.conf /etc/systemd/system/ragedge.service.d/20-mqtt.conf",
	"systemctl daemon-reload && systemctl restart ragedge",
}

// broker resolves its name, connects, and checks its certificate, as the daemon
// would, but from outside the unit: whether the unit lets it is computed.
func (v *visit) broker(address, caFile string) {
	u, err := url.Parse(address)
	if err != nil {
		return // Check says it
	}
	ctx, cancel := context.WithTimeout(v.ctx, v.Patience)
	defer cancel()
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[bool]string{true: "8883", false: "1883"}[u.Scheme == "mqtts"]
	}
	what := "broker " + net.JoinHostPort(host, port)
	found, err := v.LookupHost(ctx, host)
	if err != nil {
		why := err.Error()
		if strings.HasSuffix(strings.TrimSuffix(host, "."), ".local") {
			why += ". Names under .local are asked of Avahi, which must run"
			v.add(Warning, what+": the name was not found by the system's resolver", why, "systemctl status avahi-daemon --no-pager", "avahi-resolve -n "+host)
			return
		}
		v.add(Problem, what+": the name does not resolve", why, "getent hosts "+host)
		return
	}
	if v.filtered(what, found) {
		return
	}
	conn, err := v.Dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		v.unreachable(what, host, port, err)
		return
	}
	defer conn.Close()
	if u.Scheme == "mqtts" && !v.trusted(ctx, what, conn, host, port, caFile) {
		return
	}
	v.ok("%s can be reached", what)
}

// filtered says whether the unit keeps the daemon from every address of a broker.
func (v *visit) filtered(what string, addresses []string) bool {
	if v.unit == nil {
		return false
	}
	if v.unit.get("PrivateNetwork") == "yes" {
		v.add(Problem, what+": the unit has no network", "the drop-in for pushes only takes it away",
			"rm /etc/systemd/system/ragedge.service.d/10-push-only.conf", "systemctl daemon-reload && systemctl restart ragedge")
		return true
	}
	allow, deny := prefixes(v.unit.get("IPAddressAllow")), prefixes(v.unit.get("IPAddressDeny"))
	private := true
	for _, a := range addresses {
		ip, err := netip.ParseAddr(a)
		if err != nil || contains(allow, ip) || !contains(deny, ip) {
			return false
		}
		private = private && (ip.IsPrivate() || ip.IsLinkLocalUnicast())
	}
	why := fmt.Sprintf("IPAddressDeny= of the unit forbids %s; 20-mqtt.conf opens the local network", strings.Join(addresses, ", "))
	fix := lan
	if !private {
		why = fmt.Sprintf("IPAddressDeny= of the unit forbids %s, which is not on the local network: it needs a line of its own", strings.Join(addresses, ", "))
		fix = []string{
			"mkdir -p /etc/systemd/system/ragedge.service.d",
			fmt.Sprintf(`printf '[Service]\nIPAddressAllow=%s\n' > /etc/systemd/system/ragedge.service.d/21-broker.conf`, strings.Join(addresses, " ")),
			lan[1],
		}
	}
	v.add(Problem, what+": the unit's filter of addresses keeps the daemon from it", why, fix...)
	return true
}

// prefixes reads networks as systemctl shows them.
func prefixes(text string) (all []netip.Prefix) {
	for _, word := range strings.Fields(text) {
		if p, err := netip.ParsePrefix(word); err == nil {
			all = append(all, p)
		} else if a, err := netip.ParseAddr(word); err == nil {
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return all
}

func contains(all []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

func (v *visit) unreachable(what, host, port string, err error) {
	timeout, ok := errors.AsType[net.Error](err)
	test := fmt.Sprintf("mosquitto_sub -h %s -p %s -t '#' -C 1 -W 5", host, port)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		v.add(Problem, what+": the machine is there, but nothing listens", "start the broker; mosquitto listens to other machines only with a listener line in its configuration", test)
	case ok && timeout.Timeout():
		v.add(Problem, what+": no answer", err.Error()+". The machine is off, or a firewall drops the packets", "ping -c 3 "+host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		v.add(Problem, what+": there is no way to it", err.Error(), "ip route get "+host)
	default:
		v.add(Problem, what+": cannot be reached", err.Error(), test)
	}
}

// trusted checks the certificate.
func (v *visit) trusted(ctx context.Context, what string, conn net.Conn, host, port, caFile string) bool {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return false // CheckFiles says it
		}
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM(text)
	}
	err := tls.Client(conn, c).HandshakeContext(ctx)
	if err == nil {
		return true
	}
	show := fmt.Sprintf("openssl s_client -connect %s -showcerts </dev/null", net.JoinHostPort(host, port))
	invalid, bad := errors.AsType[x509.CertificateInvalidError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, other := errors.AsType[x509.HostnameError](err)
	switch {
	case unknown:
		v.add(Problem, what+": its certificate is signed by nobody known", "set ca_file to the certificate of who signed it", show)
	case bad && invalid.Reason == x509.Expired:
		v.add(Problem, what+": its certificate is not valid at this time", err.Error()+". Is this board's clock right?", "timedatectl", show)
	case other:
		v.add(Problem, what+": its certificate is for another name", err.Error()+". Use that name in url", show)
	default:
		v.add(Problem, what+": no TLS", err.Error()+". Is that a port for TLS?", show)
	}
	return false
}
