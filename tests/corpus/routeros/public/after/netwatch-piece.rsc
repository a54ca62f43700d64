/tool netwatch
add comment=one disabled=no down-script="" host=192.0.2.53 \
    http-codes="" interval=3s src-address=10.1.1.1 test-script="" timeout=1s type=simple up-script=""
/ip route
add disabled=no distance=10 dst-address=0.0.0.0/0 gateway=192.168.101.254 routing-table=W1 scope=30 \
    suppress-hw-offload=no target-scope=10
