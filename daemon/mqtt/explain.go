package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// explainConnect says why a broker did not let us in, and what to do about it.
func explainConnect(answer *paho.Connack, err error) error {
	if answer == nil || answer.ReasonCode == 0 {
		if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
			return fmt.Errorf("the broker does not answer: %w", err)
		}
		return fmt.Errorf("connect: %w; it must be a broker for MQTT 5, and an mqtts:// url if it wants TLS", err)
	}
	reason := (&packets.Connack{ReasonCode: answer.ReasonCode}).Reason()
	switch answer.ReasonCode {
	case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
		return fmt.Errorf("%w the connection: %s; check username and password_file", ErrRefused, reason)
	}
	return fmt.Errorf("%w the connection: %s", ErrRefused, reason)
}

// explainEnd says why a broker ended the connection.
func explainEnd(code byte) error {
	if code == packets.DisconnectSessionTakenOver {
		return errors.New("another client took our place on the broker: a daemon with the same topic on this board, or a board with the same machine id")
	}
	return fmt.Errorf("the broker ended the connection: %s", (&packets.Disconnect{ReasonCode: code}).Reason())
}
