<?php // PHPMailer: sends to ADDR and prints what it was refused with.
require '/usr/share/php/libphp-phpmailer/autoload.php';
[$host, $port] = explode(':', $argv[1]);
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
$mail->Port = (int)$port;
$mail->SMTPAutoTLS = false;
$mail->setFrom('a@example.com');
$mail->Subject = $mail->Body = 'x';
try {
    $mail->addAddress($argv[2]);
    $mail->send();
} catch (Exception $e) {
    echo $mail->ErrorInfo, "\n";
}
