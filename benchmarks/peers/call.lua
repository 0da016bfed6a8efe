-- One call as reconciler sends it, for wrk.
wrk.method = "POST"
wrk.body = '{"totalCallNum": 12, "agentMediaCallNums": [{"mediaType": 51, "callNums": 6}, {"mediaType": 52, "callNums": 4}]}'
wrk.headers["Accept"] = "application/json"
wrk.headers["Content-Type"] = "application/json; charset=UTF-8"
wrk.headers["Guid"] = "00000000000000000000000000000000deadbeef00000000.AgentGateway0"
