-- A gateway that says yes after 20 ms and does nothing else, for HAProxy: quick enough not to be what is measured.
local body = '{"message":"success","retcode":"0"}'

core.register_service("gateway", "http", function(applet)
  applet:receive()
  core.msleep(20)
  applet:set_status(200)
  applet:add_header("content-type", "application/json; charset=UTF-8")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end)
