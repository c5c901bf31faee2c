package api

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// counters are the server's own metrics. No label holds anything that a client
// sent.
type counters struct {
	set     *metrics.Set
	panics  *metrics.Counter
	dropped *metrics.Counter // Results that slow stream clients lost
	cut     *metrics.Counter // stream clients that took nothing in
	evicted *metrics.Counter
	refused *metrics.Counter
	// notAccepted counts how often a listener failed: no file descriptor left, say.
	notAccepted *metrics.Counter
	// unauthorized counts requests with a wrong token.
	unauthorized *metrics.Counter
}

func newCounters(c *conns, h *hub) *counters {
	set := metrics.NewSet()
	set.NewGauge("ragedge_api_connections", func() float64 { return float64(c.count()) })
	set.NewGauge("ragedge_api_stream_clients", func() float64 { return float64(h.count()) })
	return &counters{
		set:     set,
		panics:  set.NewCounter("ragedge_api_panics_total"),
		dropped: set.NewCounter("ragedge_api_stream_dropped_total"),
		cut:     set.NewCounter("ragedge_api_stream_cut_total"),
		evicted: set.NewCounter("ragedge_api_connections_evicted_total"),
		refused: set.NewCounter("ragedge_api_connections_refused_total"),

		notAccepted:  set.NewCounter("ragedge_api_accept_errors_total"),
		unauthorized: set.NewCounter("ragedge_api_unauthorized_total"),
	}
}

// answered counts a reply by its status code, which is one of the few that the
// handlers use.
func (c *counters) answered(code int) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`ragedge_api_requests_total{code="%d"}`, code)).Inc()
}
