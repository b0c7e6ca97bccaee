package interop

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/apiserver-network-proxy/konnectivity-client/proto/client"
)

func dialReq(random int64, address string) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_DIAL_REQ, Payload: &pb.Packet_DialRequest{
		DialRequest: &pb.DialRequest{Protocol: "tcp", Address: address, Random: random}}}
}

func dialRsp(random, id int64, reason string) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_DIAL_RSP, Payload: &pb.Packet_DialResponse{
		DialResponse: &pb.DialResponse{Random: random, ConnectID: id, Error: reason}}}
}

func data(id int64, bytes string) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_DATA, Payload: &pb.Packet_Data{
		Data: &pb.Data{ConnectID: id, Data: []byte(bytes)}}}
}

func closeReq(id int64) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_CLOSE_REQ, Payload: &pb.Packet_CloseRequest{
		CloseRequest: &pb.CloseRequest{ConnectID: id}}}
}

func closeRsp(id int64, reason string) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_CLOSE_RSP, Payload: &pb.Packet_CloseResponse{
		CloseResponse: &pb.CloseResponse{ConnectID: id, Error: reason}}}
}

func dialCls(random int64) *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_DIAL_CLS, Payload: &pb.Packet_CloseDial{
		CloseDial: &pb.CloseDial{Random: random}}}
}

func drain() *pb.Packet {
	return &pb.Packet{Type: pb.PacketType_DRAIN, Payload: &pb.Packet_Drain{Drain: &pb.Drain{}}}
}

// bare has a type and no payload, which Go peers dereference.
func bare(kind pb.PacketType) *pb.Packet { return &pb.Packet{Type: kind} }

func encode(packet *pb.Packet) []byte {
	raw, err := proto.Marshal(packet)
	if err != nil {
		panic(err)
	}
	return raw
}

// show prints a packet without flooding a report with its data.
func show(packet *pb.Packet) string {
	if d := packet.GetData(); d != nil && len(d.Data) > 40 {
		return fmt.Sprintf("DATA id %d, %d bytes", d.ConnectID, len(d.Data))
	}
	return fmt.Sprintf("%v", packet)
}
