// The same work in ns-3: ns3_chain MOMENTS LINKS ip|link
// ip: UDP sockets and IPv4 forwarding over point-to-point devices; link: the devices alone, frames handed on.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

using namespace ns3;

static std::vector<int64_t> moments;
static std::size_t sent = 0;
static uint64_t arrived = 0;
static double total = 0;
static Ptr<Socket> sender;
static NetDeviceContainer leaving;
static const uint32_t POINT_TO_POINT = 2, UDP_AND_IP = 28, OCTETS = 1000;

static void Received() {
  arrived++;
  total += static_cast<double>(Simulator::Now().GetNanoSeconds());
}

static void ReceivedFromSocket(Ptr<Socket> socket) {
  while (socket->Recv()) Received();
}

static void Send() {
  if (sender)
    sender->Send(Create<Packet>(OCTETS - UDP_AND_IP - POINT_TO_POINT));
  else
    leaving.Get(0)->Send(Create<Packet>(OCTETS - POINT_TO_POINT), leaving.Get(0)->GetBroadcast(), 0x0800);
  if (++sent < moments.size()) Simulator::Schedule(NanoSeconds(moments[sent]) - Simulator::Now(), &Send);
}

static bool HandOn(Ptr<NetDevice> device, Ptr<const Packet> packet, uint16_t, const Address&) {
  const uint32_t node = device->GetNode()->GetId();
  if (node == leaving.GetN()) {
    Received();
    return true;
  }
  return leaving.Get(node)->Send(packet->Copy(), leaving.Get(node)->GetBroadcast(), 0x0800);
}

int main(int, char** argv) {
  std::ifstream file(argv[1], std::ios::binary);
  int64_t moment;
  while (file.read(reinterpret_cast<char*>(&moment), sizeof moment)) moments.push_back(moment);
  const uint32_t links = std::atoi(argv[2]);
  const bool ip = std::string(argv[3]) == "ip";
  Time::SetResolution(Time::NS);
  NodeContainer nodes;
  nodes.Create(links + 1);
  if (ip) InternetStackHelper().Install(nodes);
  PointToPointHelper line;
  line.SetDeviceAttribute("DataRate", StringValue("10Mbps"));
  line.SetChannelAttribute("Delay", StringValue("1ms"));
  line.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("10000000p"));
  Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
  Ipv4Address target;
  for (uint32_t n = 0; n < links; n++) {
    NetDeviceContainer devices = line.Install(nodes.Get(n), nodes.Get(n + 1));
    leaving.Add(devices.Get(0));
    if (ip) {
      target = addresses.Assign(devices).GetAddress(1);
      addresses.NewNetwork();
      TrafficControlHelper().Uninstall(devices);
    } else {
      devices.Get(1)->SetReceiveCallback(MakeCallback(&HandOn));
    }
  }
  if (ip) {
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();
    Ptr<Socket> receiver = Socket::CreateSocket(nodes.Get(links), UdpSocketFactory::GetTypeId());
    receiver->Bind(InetSocketAddress(Ipv4Address::GetAny(), 2000));
    receiver->SetRecvCallback(MakeCallback(&ReceivedFromSocket));
    sender = Socket::CreateSocket(nodes.Get(0), UdpSocketFactory::GetTypeId());
    sender->Connect(InetSocketAddress(target, 2000));
  }
  Simulator::Schedule(NanoSeconds(moments[0]), &Send);
  const auto start = std::chrono::steady_clock::now();
  Simulator::Run();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (arrived != moments.size()) return 1;
  double sends = 0;
  for (int64_t one : moments) sends += static_cast<double>(one);
  std::printf("%.9f %.9f\n", seconds.count(), (total - sends) / static_cast<double>(arrived) / 1e6);
  sender = nullptr;
  Simulator::Destroy();
}
